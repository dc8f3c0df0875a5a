"""What every process runs on: database, migrations, supervision of tasks, clock, ids, errors."""
