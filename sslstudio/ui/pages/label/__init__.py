"""The page that labels: classes by keys, a board and a map of pictures, and a canvas for masks."""
