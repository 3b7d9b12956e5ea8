package notification

// Unworded are the topics without words, by language.
func Unworded() map[string][]Topic {
	missing := map[string][]Topic{}
	for _, topics := range wording {
		for topic := range topics {
			for language, other := range wording {
				if w := other[topic]; w.Title == "" || w.Text == "" {
					missing[language] = append(missing[language], topic)
				}
			}
		}
	}
	return missing
}

// Until is QuietHours.until.
var Until = QuietHours.until
