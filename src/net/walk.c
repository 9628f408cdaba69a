/* SPDX-License-Identifier: MIT */
/* All that is below a folder, depth first.
 *
 * How this works. A stack of levels, one for each folder that is open, each
 * with all its entries and how many of them were given. Giving a folder sets
 * `entering`; the next fill then reads it and makes a level of it. What is
 * missing to give an entry, its type, is got by a fill as well. */
#include <vow/file.h>

#include "net/pull.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct level {
  char *path;
  vow_dirents_t *entries;
  size_t next;
  uint64_t dev, ino; /* when links are followed */
} level_t;

struct vow_walk {
  vow__pull_t pull; /* first */
  bool follow;
  bool entering; /* the root, or the entry before the top's next, is to be read
                  */
  uv_dirent_type_t
      type; /* of the top's next; UV_DIRENT_UNKNOWN: not looked up */
  char *root;
  char *path; /* what the fill works on */
  level_t *levels;
  size_t depth;
  size_t capacity;
  vow_value_t failure; /* to be given next, or nil */
  uint64_t dev, ino;   /* of path, when links are followed */
};

static vow_walk_t *walk_of(vow__pull_t *p) {
  return (vow_walk_t *)(void *)p;
}

static vow_walk_t *walk_under(vow__steps_t *s) {
  return walk_of(vow__pull_of(s));
}

static level_t *top(const vow_walk_t *w) {
  return &w->levels[w->depth - 1];
}

/* Writes folder, a slash unless it ends in one, and name; the size with the
 * zero. Only counts when to is NULL. */
static size_t join(char *to, size_t size_bytes, const char *folder,
                   const char *name) {
  size_t length = strlen(folder);
  const char *slash = length > 0 && folder[length - 1] != '/' ? "/" : "";
  return (size_t)snprintf(to, size_bytes, "%s%s%s", folder, slash, name) + 1;
}

/* ---- giving -------------------------------------------------------------- */

static void entry_destroy(void *p) {
  vow_release(p);
}

const vow_type_t vow_type_dir_entry = {"dir_entry", entry_destroy, NULL, NULL};

static vow_dir_entry_t *entry_new(const vow_walk_t *w, const uv_dirent_t *from,
                                  uv_dirent_type_t type) {
  const char *folder = top(w)->path;
  size_t size_bytes = join(NULL, 0, folder, from->name);
  vow_dir_entry_t *e = vow_alloc(sizeof *e + size_bytes);
  char *path;
  if (e == NULL) return NULL;
  path = (char *)(e + 1);
  join(path, size_bytes, folder, from->name);
  e->path = path;
  e->name = path + size_bytes - strlen(from->name) - 1;
  e->type = type;
  e->depth = w->depth;
  return e;
}

static bool needs_lookup(const vow_walk_t *w, const uv_dirent_t *e) {
  if (w->type != UV_DIRENT_UNKNOWN) return false;
  return e->type == UV_DIRENT_UNKNOWN ||
         (w->follow && e->type == UV_DIRENT_LINK);
}

static void advance(vow_walk_t *w) {
  top(w)->next++;
  w->type = UV_DIRENT_UNKNOWN;
}

static vow_value_t take_entry(vow_walk_t *w, const uv_dirent_t *from) {
  uv_dirent_type_t type = w->type != UV_DIRENT_UNKNOWN ? w->type : from->type;
  vow_dir_entry_t *e = entry_new(w, from, type);
  if (e == NULL) return vow_fail(UV_ENOMEM);
  w->entering = type == UV_DIRENT_DIR;
  advance(w);
  return vow_ptr(e, &vow_type_dir_entry);
}

static void leave(vow_walk_t *w) {
  level_t *level = top(w);
  vow_dirents_unref(level->entries);
  vow_release(level->path);
  w->depth--;
}

static bool walk_give(vow__pull_t *p, vow_value_t *ret_v) {
  vow_walk_t *w = walk_of(p);
  const uv_dirent_t *e = NULL;
  if (vow_value_is_failure(w->failure)) {
    *ret_v = w->failure;
    w->failure = vow_nil();
    return true;
  }
  if (w->entering) return false;
  while (w->depth > 0) {
    e = vow_dirents_at(top(w)->entries, top(w)->next);
    if (e != NULL) break;
    leave(w);
  }
  if (e == NULL) {
    *ret_v = vow_fail(UV_EOF);
    return true;
  }
  if (needs_lookup(w, e)) return false;
  *ret_v = take_entry(w, e);
  return true;
}

/* ---- entering a folder --------------------------------------------------- */

/* Room for one more level: UV_ENOMEM or 0. */
static int reserve(vow_walk_t *w) {
  size_t capacity = w->capacity * 2 > 8 ? w->capacity * 2 : 8;
  level_t *levels;
  if (w->depth < w->capacity) return 0;
  levels = vow_alloc(capacity * sizeof *levels);
  if (levels == NULL) return UV_ENOMEM;
  if (w->depth > 0) memcpy(levels, w->levels, w->depth * sizeof *levels);
  vow_release(w->levels);
  w->levels = levels;
  w->capacity = capacity;
  return 0;
}

static void on_scan(vow__steps_t *s, vow_future_t *f) {
  vow_walk_t *w = walk_under(s);
  level_t *level;
  if (reserve(w) < 0) {
    vow__steps_finish(s, vow_fail(UV_ENOMEM));
    return;
  }
  level = &w->levels[w->depth++];
  *level = (level_t){w->path, vow_dirents_take(f), 0, w->dev, w->ino};
  w->path = NULL;
  w->entering = false;
  vow__steps_finish(s, vow_nil());
}

static void scan(vow_walk_t *w, vow__steps_t *s) {
  vow__steps_await(s, vow_fs_scandir_at(w->pull.site, w->pull.loop, w->path, 0),
                   0, on_scan);
}

/* Links are followed: a folder within itself would never end. */
static void on_folder_stat(vow__steps_t *s, vow_future_t *f) {
  vow_walk_t *w = walk_under(s);
  const uv_stat_t *st = vow_stat_get(f);
  size_t i;
  w->dev = st->st_dev;
  w->ino = st->st_ino;
  for (i = 0; i < w->depth; i++) {
    if (w->levels[i].dev != w->dev || w->levels[i].ino != w->ino) continue;
    vow__steps_finish(
        s, vow_failf_at(w->pull.site, UV_ELOOP,
                        "walk_next %s: the folder is within itself", w->path));
    return;
  }
  scan(w, s);
}

/* ---- looking up a type --------------------------------------------------- */

static uv_dirent_type_t type_of(uint64_t mode) {
  static const struct {
    mode_t format;
    uv_dirent_type_t type;
  } types[] = {
      {S_IFREG, UV_DIRENT_FILE},    {S_IFDIR, UV_DIRENT_DIR},
      {S_IFLNK, UV_DIRENT_LINK},    {S_IFIFO, UV_DIRENT_FIFO},
      {S_IFSOCK, UV_DIRENT_SOCKET}, {S_IFCHR, UV_DIRENT_CHAR},
      {S_IFBLK, UV_DIRENT_BLOCK},
  };
  size_t i;
  for (i = 0; i < sizeof types / sizeof types[0]; i++)
    if (((mode_t)mode & S_IFMT) == types[i].format) return types[i].type;
  return UV_DIRENT_FILE;
}

static void on_type(vow__steps_t *s, vow_future_t *f) {
  walk_under(s)->type = type_of(vow_stat_get(f)->st_mode);
  vow__steps_finish(s, vow_nil());
}

/* The target of a link: one that leads nowhere is given as a link. */
static void on_target_type(vow__steps_t *s, vow_future_t *f) {
  if (s->cancelled)
    vow__steps_finish(s, vow_cancelled(UV_ECANCELED));
  else if (vow_status(f) == 0)
    on_type(s, f);
  else {
    walk_under(s)->type = UV_DIRENT_LINK;
    vow__steps_finish(s, vow_nil());
  }
}

/* ---- fills --------------------------------------------------------------- */

/* The path of the folder to enter, or of the entry to look up. */
static char *path_of(const vow_walk_t *w) {
  const char *folder = w->depth > 0 ? top(w)->path : "";
  const char *name = w->root;
  size_t size_bytes;
  char *path;
  if (w->depth > 0)
    name = vow_dirents_at(top(w)->entries, top(w)->next - (w->entering ? 1 : 0))
               ->name;
  size_bytes = join(NULL, 0, folder, name);
  path = vow_alloc(size_bytes);
  if (path != NULL) join(path, size_bytes, folder, name);
  return path;
}

static void walk_fill(vow__pull_t *p, vow__steps_t *s) {
  vow_walk_t *w = walk_of(p);
  vow_release(w->path);
  w->path = path_of(w);
  if (w->path == NULL)
    vow__steps_finish(s, vow_fail(UV_ENOMEM));
  else if (w->entering && !w->follow)
    scan(w, s);
  else if (w->entering)
    vow__steps_await(s, vow_fs_stat_at(p->site, p->loop, w->path), 0,
                     on_folder_stat);
  else if (w->follow)
    vow__steps_await(s, vow_fs_stat_at(p->site, p->loop, w->path),
                     VOW__STEP_ANY, on_target_type);
  else
    vow__steps_await(s, vow_fs_lstat_at(p->site, p->loop, w->path), 0, on_type);
}

/* What failed is left out, and told of. */
static void walk_filled(vow__pull_t *p, vow_value_t v) {
  vow_walk_t *w = walk_of(p);
  int err = vow_value_code(v);
  if (err == 0 || err == UV_ECANCELED) {
    vow_value_destroy(v);
    return;
  }
  w->failure = v;
  if (w->entering)
    w->entering = false;
  else
    advance(w);
}

/* ---- the object ---------------------------------------------------------- */

static void walk_destroy(vow__pull_t *p) {
  vow_walk_t *w = walk_of(p);
  while (w->depth > 0) leave(w);
  vow_value_destroy(w->failure);
  vow_release(w->levels);
  vow_release(w->path);
  vow_release(w->root);
  vow_release(w);
}

static const vow__pull_kind_t walk_kind = {VOW__PULL_CLASS("walk_next"),
                                           walk_give, walk_fill, walk_filled,
                                           walk_destroy};

int vow_dir_walk_at(const char *site, vow_loop_t *loop, const char *path,
                    unsigned flags, vow_walk_t **ret_walk) {
  vow_walk_t *w;
  size_t length;
  if (loop == NULL || path == NULL || ret_walk == NULL ||
      (flags & ~(unsigned)VOW_WALK_FOLLOW) != 0)
    return UV_EINVAL;
  length = strlen(path);
  w = vow_alloc(sizeof *w);
  if (w == NULL) return UV_ENOMEM;
  memset(w, 0, sizeof *w);
  vow__pull_init(&w->pull, site, loop, &walk_kind);
  w->follow = (flags & VOW_WALK_FOLLOW) != 0;
  w->entering = true;
  w->root = vow_alloc(length + 1);
  if (w->root == NULL) {
    vow_release(w);
    return UV_ENOMEM;
  }
  memcpy(w->root, path, length + 1);
  *ret_walk = w;
  return 0;
}

vow_future_t *vow_walk_next_at(const char *site, vow_walk_t *walk) {
  return vow__pull_next(site, walk != NULL ? &walk->pull : NULL, &walk_kind);
}

void vow_walk_free(vow_walk_t *walk) {
  if (walk != NULL) vow__pull_free(&walk->pull);
}

const vow_dir_entry_t *vow_dir_entry_get(vow_future_t *f) {
  return vow_get(f, &vow_type_dir_entry);
}

vow_dir_entry_t *vow_dir_entry_take(vow_future_t *f) {
  return vow_take(f, &vow_type_dir_entry);
}
