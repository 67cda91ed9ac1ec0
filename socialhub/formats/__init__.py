"""How dates are written in each language, where Django does not say. Django finds these by their names."""
