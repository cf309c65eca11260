"""The page of experiments: label efficiency and tournaments, planned, run and read here."""
