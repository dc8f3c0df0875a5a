-- Every matter of the history, in the order of time: who asked, what about, who had it, and how far it has come.
-- The newest tenth holds the open ones, among others that have ended. $1 closed, $2 open, $3 days.
create unlogged table bench.cast as
select number, id, open, at, to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at_text,
       case when not open then 'closed'
            else (array['in_progress', 'in_progress', 'in_progress', 'in_progress', 'in_progress',
                        'in_progress', 'in_progress', 'offered', 'offered', 'handled'])[1 + number / 3 % 10]
       end as state,
       to_char(due at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as due_text, due,
       gen_random_uuid() as offer_id, firm.uscc, firm.name as firm_name, firm.park, firm.liaison,
       topic.category, topic.department, topic.summary || ' ' || firm.name as summary,
       topic.terms || ' ' || firm.terms as terms,
       lpad(to_hex((extract(epoch from uuid_extract_timestamp(id)) * 1000)::bigint / 604800000), 4, '0') as week
from (
    select number, uuidv7(ago) as id, now() + ago as at,
           number > $1::int + $2::int - $2::int * 3 and number % 3 = 0 as open,
           now() + interval '3 days' + make_interval(secs => number % 604800) as due
    from (select number, make_interval(secs => $3::int * 86400.0 * (number / ($1::float + $2) - 1) - 600) as ago
          from generate_series(1, $1::int + $2::int) as number) as dated
) as matter
join bench.firm on firm.n = number * 7919::bigint % $4::bigint
join bench.topic on topic.n = (number * 31::bigint + number / 97) % $5::bigint
order by number
