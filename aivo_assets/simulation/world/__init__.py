"""The school before its first day: content, people, and the rhythm of its weeks. Nobody answers anything here."""
