"""Tables that people upload, CSV and XLSX: read whole or refused by name, in a process of their own."""
