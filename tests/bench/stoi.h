/**
 * @file stoi.h  Short-time objective intelligibility (Taal et al. 2011)
 */
#ifndef BENCH_STOI_H
#define BENCH_STOI_H

enum { STOI_HZ = 10000 };

/** How well n samples at STOI_HZ are understood where x was said, 0..1 */
double stoi(const float *x, const float *y, long n);

#endif
