/* SPDX-License-Identifier: MIT */
/* The table of results, which the user sees at the end. */
#ifndef FETCH_TABLE_H
#define FETCH_TABLE_H

#include "fetch.h"

/* Prints a line for each row and the total. outcomes: as fetch_all gives. */
void table_print(const fetch_t *fetch, const vow_list_t *outcomes,
                 uint64_t took_ms);

#endif
