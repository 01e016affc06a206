-- Pairs and curves of any interval that bars can have: 1d, or as many minutes or hours as a day is made of, up to 12h.

create function reference_is_interval(word text) returns boolean language sql immutable as $$
    select case
        when word is null or word = '1d' then true
        when word ~ '^[1-9][0-9]{0,2}[mh]$' then
            1440 % (left(word, -1)::int * case right(word, 1) when 'h' then 60 else 1 end) = 0
            and left(word, -1)::int * case right(word, 1) when 'h' then 60 else 1 end <= 720
        else false
    end
$$;

alter table pair_definitions drop constraint pair_definitions_interval_check;
alter table pair_definitions add constraint pair_definitions_interval_check check (reference_is_interval(interval));
alter table curve_metadata drop constraint curve_metadata_interval_check;
alter table curve_metadata add constraint curve_metadata_interval_check check (reference_is_interval(interval));
