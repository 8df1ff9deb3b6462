"""Commands about people: forgetting them, telling what is held of them, and how long anything is kept."""
