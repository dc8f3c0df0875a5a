-- An erasure finds the steps of its matter: the other index has those alone that are on the wall.
create index milestone_of_any_matter on milestone (matter_id);
