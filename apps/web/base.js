/* What every script of a page uses:
 *   mtData(id)                          what page_data(id) put into the page, parsed
 *   mtNode(tag, attributes, children)   an element; attributes {class: "x", onclick: f}, children: texts and nodes
 *   mtFormat(value, kind)               a number as text: "plain", "time" (of seconds), "si", "percent", "times", "integer"
 */
(function () {
	'use strict';

	function text(value, digits) {
		return String(Number(value.toPrecision(digits)));
	}

	/* 1234.5 as "1234.5", 0.00000123 as "1.23e-6": as many digits as help. */
	function plain(value) {
		const size = Math.abs(value);
		if (size !== 0 && (size >= 1e7 || size < 1e-4))
			return value.toExponential(2).replace(/\.?0+e/, 'e').replace('e+', 'e');
		return text(value, size >= 1000 ? 6 : 4);
	}

	function scaled(value, units, digits) {
		if (value === 0)
			return '0' + (units[0][2] || '');
		const size = Math.abs(value);
		/* As it will be rounded: 999.96 µs is 1 ms. */
		const rounded = Number(size.toPrecision(digits));
		const unit = units.find(function (u) {
			return rounded >= u[0];
		}) || units[units.length - 1];
		return plain(Number((value / unit[0]).toPrecision(digits))) + unit[1];
	}

	const seconds = [[60, ' min', ' s'], [1, ' s'], [1e-3, ' ms'], [1e-6, ' µs'], [1e-9, ' ns']];
	const si = [[1e15, 'P'], [1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k'], [1, ''], [1e-3, 'm'], [1e-6, 'µ'], [1e-9, 'n']];
	const kinds = {
		plain: plain,
		time: function (value) {
			return scaled(value, seconds, 3);
		},
		si: function (value) {
			return scaled(value, si, 3);
		},
		percent: function (value) {
			return text(100 * value, 3) + ' %';
		},
		times: function (value) {
			return (Math.abs(value) >= 100 ? String(Math.round(value)) : text(value, 3)) + '×';
		},
		integer: function (value) {
			return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, '\u2009');
		}
	};

	window.mtFormat = function (value, kind) {
		if (typeof value !== 'number' || isNaN(value))
			return '–';
		if (!isFinite(value))
			return value < 0 ? '−∞' : '∞';
		return (kinds[kind] || plain)(value).replace(/^-/, '−');
	};

	window.mtData = function (id) {
		const element = document.getElementById('mt-data-' + id);
		if (element === null)
			throw new Error('mtData: the page has no data "' + id + '"');
		return JSON.parse(element.textContent);
	};

	function fill(node, attributes, children) {
		Object.keys(attributes || {}).forEach(function (name) {
			const value = attributes[name];
			if (typeof value === 'function')
				node.addEventListener(name.replace(/^on/, ''), value);
			else if (value !== null && value !== undefined && value !== false)
				node.setAttribute(name, value === true ? '' : value);
		});
		(Array.isArray(children) ? children : children === undefined ? [] : [children]).forEach(function (child) {
			if (child !== null && child !== undefined)
				node.append(child);
		});
		return node;
	}

	window.mtNode = function (tag, attributes, children) {
		return fill(document.createElement(tag), attributes, children);
	};

	/* The same for SVG. */
	window.mtSvg = function (tag, attributes, children) {
		return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
	};
})();
