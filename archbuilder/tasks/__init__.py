"""The jobs that take several rooms: check a spec, explain a value, write an architecture down, list the blocks there are."""
