-- An erasure looks through the rows of files that still have what was written in them, and not through those taken.
create index import_row_with_words on import_row (import_id, number)
    where cells is not null and outcome in ('conflicting', 'faulty');
