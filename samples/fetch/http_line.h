/* SPDX-License-Identifier: MIT */
/* The lines of an HTTP response, each taken apart by itself. */
#ifndef FETCH_HTTP_LINE_H
#define FETCH_HTTP_LINE_H

#include "http.h"

/* Notes what is wrong, in printable characters; gives HTTP_BAD. */
http_result_t http_wrong(http_parser_t *parser, const char *what,
                         const char *text);

/* HTTP_MORE when the line in parser->line is right, or HTTP_BAD. Status line:
 * sets status. Header: notes what it says on the length of the body. Chunk
 * size: sets left. */
http_result_t http_status_line(http_parser_t *parser);
http_result_t http_header_line(http_parser_t *parser);
http_result_t http_chunk_line(http_parser_t *parser);

#endif
