import Registry

/// A table while the document is read, and who may still add to it.
final class TOMLTable {
    /// How a table came to be, on which depends what may be added to it later.
    enum Origin {
        /// Named on the way to another one: `a` in `[a.b]`. Its own header may still come, once.
        case implied
        /// Has had its own header.
        case header
        /// Named on the way to a key: `a` in `a.b = 1`.
        case dotted
    }

    enum Entry {
        case value(ManifestValue)
        case table(TOMLTable)
        /// `[[name]]`
        case tables(List)
    }

    /// Never empty. An object, because an array in a dictionary would be copied with each table that is appended.
    final class List {
        var tables: [TOMLTable]

        init(_ first: TOMLTable) { tables = [first] }
    }

    var origin: Origin
    private(set) var entries: [String: Entry] = [:]

    init(_ origin: Origin) { self.origin = origin }

    /// The table that `[path]` opens, made with all that lead to it.
    ///
    /// - Returns: nil if one of the names means something else already.
    func open(_ path: [String]) -> TOMLTable? {
        guard let name = path.last, let parent = descend(path.dropLast()) else { return nil }
        switch parent.entries[name] {
        case nil: return parent.add(TOMLTable(.header), name)
        case .table(let table) where table.origin == .implied:
            table.origin = .header
            return table
        default: return nil
        }
    }

    /// The new table that `[[path]]` appends.
    func append(_ path: [String]) -> TOMLTable? {
        guard let name = path.last, let parent = descend(path.dropLast()) else { return nil }
        let table = TOMLTable(.header)
        switch parent.entries[name] {
        case nil:
            parent.entries[name] = .tables(List(table))
            return table
        case .tables(let list):
            list.tables.append(table)
            return table
        default: return nil
        }
    }

    /// Sets a key, dotted or not.
    ///
    /// - Returns: false if the key is taken, or leads through something that is no table of dotted keys.
    func set(_ path: [String], to value: ManifestValue) -> Bool {
        guard let name = path.last else { return false }
        var table = self
        for part in path.dropLast() {
            switch table.entries[part] {
            case nil: table = table.add(TOMLTable(.dotted), part)
            case .table(let inner) where inner.origin == .dotted: table = inner
            default: return false
            }
        }
        guard table.entries[name] == nil else { return false }
        table.entries[name] = .value(value)
        return true
    }

    /// The finished tree.
    var value: ManifestValue {
        .table(
            entries.mapValues { entry in
                switch entry {
                case .value(let value): value
                case .table(let table): table.value
                case .tables(let list): .array(list.tables.map(\.value))
                }
            })
    }

    private func descend(_ path: ArraySlice<String>) -> TOMLTable? {
        var table = self
        for part in path {
            switch table.entries[part] {
            case nil: table = table.add(TOMLTable(.implied), part)
            case .table(let inner): table = inner
            case .tables(let list): table = list.tables[list.tables.count - 1]
            case .value: return nil
            }
        }
        return table
    }

    private func add(_ table: TOMLTable, _ name: String) -> TOMLTable {
        entries[name] = .table(table)
        return table
    }
}
