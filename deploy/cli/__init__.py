"""The command line `liaison`: reads arguments, calls operations and prints what they return."""
