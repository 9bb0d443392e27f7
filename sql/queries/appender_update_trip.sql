UPDATE trip SET status = ?2, capture_state = ?3, version = ?4, steps = ?5, act_by = ?6,
  cart_total = ?7, captured = ?8, bad_debt = ?9, cancelled = ?10, in_doubt = ?11, open = ?12,
  recovered = ?13, written_off = ?14, intended = ?15, last_books_date = ?16
WHERE id = ?1
