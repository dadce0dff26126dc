"""Pages that live without Python: what they hold, and one that explains a photo."""
