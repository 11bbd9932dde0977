-- A movement, with its adjustments, belongs to another day.
update ledger_entry set day = ?2 where movement_id = ?1 and order_id = ?3
