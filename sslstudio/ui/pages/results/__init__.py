"""The page of results: scores, mistakes, maps, doubtful labels, predictions for new pictures, exports."""
