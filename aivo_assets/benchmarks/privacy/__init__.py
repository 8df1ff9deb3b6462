"""How well published data withstands attacks. Belongs here: attacks of the literature and their figures; no defence."""
