# The doors of the tree. CMake does the work; CONTRIBUTING.md says what each form runs.
BUILD ?= build
CASES ?= test/conformance/cases
REAL ?= ../shared/data/real
CMAKE  = cmake -S . -G Ninja

all: ; @$(CMAKE) -B $(BUILD) -DCMAKE_BUILD_TYPE=Release && cmake --build $(BUILD) -- -k 0
debug asan tsan: ; @cmake --preset $@ && cmake --build --preset $@

test:      ; @.ci/dependencies test && .ci/test short $(BUILD)
test-long: ; @.ci/dependencies long && .ci/test long $(BUILD)
conformance: ; @.ci/dependencies test && $(MAKE) -s all && $(BUILD)/test/conformance/conformance $(CASES)
demo:
	@.ci/dependencies $(if $(SERVERS),servers,build) && $(MAKE) all && \
	    PROGRAM=$(BUILD)/data-processing OUT=$(BUILD)/demo examples/demo$(if $(SERVERS),_servers).sh
bench: all
	@.ci/dependencies bench
	@for program in $(BUILD)/bench/* "bench/pipeline.py $(BUILD)" "bench/kafka_ohlcv.py $(BUILD)" \
	    "bench/kafka_state.py $(BUILD)" "bench/kafka_pipeline.py $(BUILD)" "bench/kafka_latency.py $(BUILD)"; do \
	    $$program || exit 1; done

install: all ; @cmake --install $(BUILD)
docs: all
	@$(BUILD)/data-processing help --markdown >docs/configuration.md
	@schema=charts/data-processing/values.schema.json; python3 test/charts/settings.py docs/configuration.md $$schema >$$schema.new && mv $$schema.new $$schema
	@$(BUILD)/examples/word_count help --metrics >docs/metrics.md
	@$(BUILD)/data-processing schemas >docs/schemas.md
docs-real: all
	@python3 test/market/real_input.py $(BUILD)/data-processing $(REAL) >docs/real-input.md.new && mv docs/real-input.md.new docs/real-input.md
format: ; @.ci/format --fix
check: ; @.ci/layers && .ci/format
clean: ; @cmake -E rm -rf $(BUILD)

.PHONY: all debug asan tsan test test-long conformance demo bench install docs docs-real format check clean
