"""The first page: pictures are dropped or chosen here, and what is in them is shown."""
