-- What a search compares: the summary folded, without spaces. Null in rows of before, which the service folds by itself, a
-- few hundred at a time; until then they are found by how they were written.
alter table request add column folded text;
create index request_unfolded on request (matter_id) where folded is null;

-- How the names of parks and categories were written, each under the one form that filters compare. A sender may write a
-- category in any way; a list has the name that was written.
create table spelling (
    folded text not null,
    name text not null,
    primary key (folded, name)
);
insert into spelling (folded, name)
select lower(regexp_replace(
           normalize(name, nfkc), '[\s\u00ad\u200b-\u200f\u2060-\u206f\ufe00-\ufe0f\ufeff]', '', 'g')), name
from (select 'park:' || park as name from matter where park is not null
      union
      select 'category:' || array_to_string((string_to_array(category, '/'))[:depth], '/')
      from matter cross join generate_series(1, 5) as depth where category is not null) as written;
