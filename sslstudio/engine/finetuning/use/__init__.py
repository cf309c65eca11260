"""What a fine-tuned run is used for: predictions, proposals, suggestions, similar pictures, a closer look."""
