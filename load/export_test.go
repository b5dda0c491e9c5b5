package load

// Keys are the top-level keys that say something about packets.
func Keys() []string {
	var keys []string
	for key, k := range kinds {
		if k != ignored {
			keys = append(keys, key)
		}
	}
	return keys
}
