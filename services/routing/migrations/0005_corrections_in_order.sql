-- The correction ordered first is claimed without sorting all that wait, one claim after another.
create index correction_order on correction (ordered_at);
