import Registry

/// One TOML text: its statements from top to bottom.
struct TOMLDocument {
    private var cursor: TOMLCursor
    private let root = TOMLTable(.header)
    private var tablesCount = 0
    private var valuesCount = 0

    init(_ bytes: [UInt8]) { cursor = TOMLCursor(bytes) }

    mutating func read() throws(ManifestReader.Invalid) -> ManifestValue {
        var table = root
        var depth = 0
        try cursor.skipBlank()
        while !cursor.isAtEnd {
            if cursor.next == UInt8(ascii: "[") {
                (table, depth) = try header()
            } else {
                try setting(in: table, depth: depth)
            }
            try cursor.endLine()
            try cursor.skipBlank()
        }
        return root.value
    }

    /// `[a.b]` or `[[a.b]]`
    ///
    /// - Returns: the table that the next settings belong to, and how deep it lies.
    private mutating func header() throws(ManifestReader.Invalid) -> (TOMLTable, depth: Int) {
        let start = cursor.place
        let isRepeated = cursor.skip("[[") || !cursor.skip("[")
        cursor.skipSpace()
        let path = try cursor.key()
        if isRepeated {
            try cursor.expect("]]", "expected `]]`")
        } else {
            try cursor.expect("]", "expected `]`")
        }
        try count(tables: path.count, from: start)
        guard let table = isRepeated ? root.append(path) : root.open(path) else {
            throw cursor.fault("the table `\(shown(path))` is defined twice, or is something else already", at: start)
        }
        return (table, path.count)
    }

    /// `a.b = 1`
    private mutating func setting(in table: TOMLTable, depth: Int) throws(ManifestReader.Invalid) {
        let start = cursor.place
        let path = try cursor.key()
        try cursor.expect("=", "expected `=`")
        cursor.skipSpace()
        let value = try value(depth: depth + path.count - 1)
        try count(tables: path.count - 1, from: start)
        guard table.set(path, to: value) else {
            throw cursor.fault("the key `\(shown(path))` is defined twice, or is something else already", at: start)
        }
    }

    private mutating func value(depth: Int) throws(ManifestReader.Invalid) -> ManifestValue {
        valuesCount += 1
        guard depth < ManifestReader.depthMax else { throw cursor.fault("values are nested too deep") }
        guard valuesCount <= ManifestReader.valuesMax else { throw cursor.fault("there are too many values") }
        if let text = try cursor.string() { return .string(text) }
        switch cursor.next {
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "{"): return try inlineTable(depth: depth)
        default: return try cursor.scalar()
        }
    }

    private mutating func array(depth: Int) throws(ManifestReader.Invalid) -> ManifestValue {
        try cursor.expect("[", "expected `[`")
        var values: [ManifestValue] = []
        try cursor.skipBlank()
        while !cursor.skip("]") {
            values.append(try value(depth: depth + 1))
            try cursor.skipBlank()
            guard cursor.skip(",") || cursor.next == UInt8(ascii: "]") else {
                throw cursor.fault("expected `,` or `]`")
            }
            try cursor.skipBlank()
        }
        return .array(values)
    }

    /// `{ a = 1, b.c = 2 }`, on one line, without a comma at the end.
    private mutating func inlineTable(depth: Int) throws(ManifestReader.Invalid) -> ManifestValue {
        try cursor.expect("{", "expected `{`")
        try count(tables: 1, from: cursor.place)
        let table = TOMLTable(.header)
        cursor.skipSpace()
        if cursor.skip("}") { return table.value }
        repeat {
            cursor.skipSpace()
            try setting(in: table, depth: depth + 1)
            cursor.skipSpace()
        } while cursor.skip(",")
        try cursor.expect("}", "expected `,` or `}`")
        return table.value
    }

    private mutating func count(tables: Int, from start: Int) throws(ManifestReader.Invalid) {
        tablesCount += tables
        guard tablesCount <= ManifestReader.tablesMax else {
            throw cursor.fault("there are too many tables", at: start)
        }
    }

    private func shown(_ path: [String]) -> String { String(path.joined(separator: ".").prefix(80)) }
}
