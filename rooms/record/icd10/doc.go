// Package icd10 finds codes of the International Classification of Diseases,
// 10th revision, by code, by Chinese or English name, by pinyin and by its
// initials, with forgiveness for typing errors.
//
// The table that is shipped, common.csv, was put together for Wenzhen: codes of
// conditions that are common in online consultations with short names of our
// own wording in both languages. It is no copy of the classification, whose
// texts belong to the World Health Organization (https://icd.who.int/browse10)
// and, in Chinese, to the National Health Commission (GB/T 14396); who has a
// licence for one of these loads it with `wenzhen icd10 load`.
package icd10
