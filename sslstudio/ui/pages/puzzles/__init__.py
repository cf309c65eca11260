"""The page of pretext tasks: each is explained, judged by the clinic, shown on the person's pictures and played."""
