# The doors of the tree. CMake does the work; CONTRIBUTING.md says what each form runs.
BUILD ?= build
CASES ?= test/conformance/cases
DIR   ?=
CMAKE  = cmake -S . -G Ninja

all: ; @$(CMAKE) -B $(BUILD) -DCMAKE_BUILD_TYPE=Release && cmake --build $(BUILD) -- -k 0
debug asan tsan: ; @cmake --preset $@ && cmake --build --preset $@

test test-long: ; @.ci/dependencies test && .ci/test $(if $(findstring long,$@),long,short) $(BUILD)
conformance: all ; @$(BUILD)/test/conformance/conformance $(CASES)
demo: ; @.ci/dependencies build && $(MAKE) all && .ci/demo $(BUILD) $(DIR)

install: all ; @cmake --install $(BUILD)
format: ; @.ci/format --fix
check: ; @.ci/layers && .ci/format
clean: ; @cmake -E rm -rf $(BUILD)

.PHONY: all debug asan tsan test test-long conformance demo install format check clean
