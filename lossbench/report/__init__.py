"""From statistics to what people and programs read; nothing here computes."""
