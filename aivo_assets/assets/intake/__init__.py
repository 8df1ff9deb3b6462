"""Assets up to the warehouse: raw and anonymised events, marts, and the audit that no personal data went further."""
