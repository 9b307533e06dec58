/* Tables of the page.
 *   mtSortableTable(table)          a click on a column's head sorts by it, one more the other way round
 *   mtFilterTable(table, keep)      shows the rows of the body for which keep(row) holds; gives their number
 * A cell sorts by its data-value where it has one, else by its text: numbers by size, other text after them, nothing
 * last. */
(function () {
	'use strict';

	const collator = new Intl.Collator('en', {numeric: true, sensitivity: 'base'});

	function keyOf(row, column) {
		const cell = row.cells[column];
		if (!cell)
			return '';
		const text = cell.hasAttribute('data-value') ? cell.getAttribute('data-value') : cell.textContent.trim();
		const number = Number(text.replace(/−/g, '-'));
		return text === '' || isNaN(number) ? text : number;
	}

	function compare(a, b) {
		if (typeof a === 'number' && typeof b === 'number')
			return a - b;
		if (typeof a !== typeof b)
			return typeof a === 'number' ? -1 : 1;
		return collator.compare(a, b);
	}

	function sort(table, column, direction) {
		const body = table.tBodies[0];
		const keyed = Array.from(body.rows, function (row) {
			return {row: row, key: keyOf(row, column)};
		});
		keyed.sort(function (a, b) {
			if (a.key === '' || b.key === '')
				return (a.key === '') - (b.key === ''); /* last in both directions */
			return direction * compare(a.key, b.key);
		});
		keyed.forEach(function (item) {
			body.append(item.row);
		});
	}

	window.mtSortableTable = function (table) {
		const heads = Array.from(table.tHead.rows[table.tHead.rows.length - 1].cells);
		table.classList.add('mt-sortable');
		heads.forEach(function (head, column) {
			const button = mtNode('button', {
				type: 'button',
				onclick: function () {
					const up = head.getAttribute('aria-sort') !== 'ascending';
					heads.forEach(function (other) {
						other.removeAttribute('aria-sort');
					});
					head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
					sort(table, column, up ? 1 : -1);
				}
			});
			button.append.apply(button, Array.from(head.childNodes));
			head.replaceChildren(button);
		});
	};

	window.mtFilterTable = function (table, keep) {
		let shown = 0;
		Array.from(table.tBodies[0].rows).forEach(function (row) {
			row.hidden = !keep(row);
			shown += row.hidden ? 0 : 1;
		});
		return shown;
	};
})();
