"""White blood cell classification that moves to another laboratory with few labels."""
