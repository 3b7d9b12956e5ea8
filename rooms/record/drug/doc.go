// Package drug knows drugs, and checks what is prescribed: allergies, the same
// substance twice, interactions, doses, ages, pregnancy and controlled drugs.
//
// The tables that are shipped were put together for Wenzhen and are a start, not
// a drug database: a clinic loads its own with `wenzhen drugs load`, and lets a
// pharmacist review it. They hold facts, in our own words, from these documents:
//
//   - names and classes: WHO Collaborating Centre for Drug Statistics
//     Methodology, ATC/DDD Index;
//   - doses, ages, pregnancy and lactation: product labels as published by the
//     United States FDA (DailyMed), the EMA and China's NMPA; WHO Model Formulary
//     for Children 2010;
//   - interactions: S. Phansalkar and others, "High-priority drug-drug
//     interactions for use in electronic health records", JAMIA 19 (2012),
//     and product labels;
//   - controlled drugs: China's catalogues of narcotic and psychotropic drugs
//     (2013) with the later additions;
//   - weights of children: WHO Child Growth Standards (2006) and reference (2007),
//     boys, two standard deviations above the median.
package drug
