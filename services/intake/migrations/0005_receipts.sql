-- Receipts of a request besides its first: each says to whom it was given, since an answer by a receipt that staff were
-- given cannot be the requester's own. The first was given to `request.submitted_by`.
create table receipt (
    code text primary key,
    request_id uuid not null,
    party text not null,
    constraint receipt_of_party unique (request_id, party)
);
