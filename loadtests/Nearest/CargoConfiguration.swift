import CrateFile
import Registry

/// The text of cargo's `config.toml`, in which one block between two marks is ours and every other byte is the user's.
///
/// The block stands at the end, behind one line break of its own, because tables that are written before other text
/// would swallow it. Taking it out gives back exactly the bytes that were there before.
struct CargoConfiguration: Hashable, Sendable {
    /// A registry has few; what is larger is no configuration.
    static let bytesMax = 1 << 20
    private static let madeHere = "# There was no such file before; --remove deletes it."

    let text: String

    /// The text with the block that `replacement` asks for, in the place of an older one.
    ///
    /// - Parameter isNewFile: there is no file yet.
    /// - Throws: `BenchFailure` if the user's own text already says something about the same sources.
    func writing(_ replacement: SourceReplacement, isNewFile: Bool) throws(BenchFailure) -> String {
        let bytes = Array(text.utf8)
        let block = try block(of: replacement.address)
        try check(without(block), against: replacement)
        let wasMade = block.map { String(decoding: bytes[$0], as: UTF8.self).contains(Self.madeHere) } ?? isNewFile
        let written = Self.block(replacement, isNewFile: wasMade)
        let result: String
        if let block {
            result =
                String(decoding: bytes[..<block.lowerBound], as: UTF8.self) + written
                + String(decoding: bytes[block.upperBound...], as: UTF8.self)
        } else {
            result = text.isEmpty ? written : text + "\n" + written
        }
        // The user may have spelled `source` as an inline table, which no table can be added to.
        do { _ = try ManifestReader.read(result) } catch {
            throw BenchFailure(
                "the tables can't be added at line \(error.line), column \(error.column): \(error.reason); write "
                    + "`source` and `registries` as tables with headers of their own")
        }
        return result
    }

    /// The text without the block of this registry.
    ///
    /// - Returns: nil for a file that `--write` made and that holds nothing else.
    /// - Throws: `BenchFailure` if there is no block.
    func removing(_ address: RepositoryAddress) throws(BenchFailure) -> String? {
        guard let block = try block(of: address) else {
            throw BenchFailure("there is no block of `longshore-bench nearest` for \(address): nothing to remove")
        }
        let rest = without(block)
        let wasMade = String(decoding: Array(text.utf8)[block], as: UTF8.self).contains(Self.madeHere)
        return rest.isEmpty && wasMade ? nil : rest
    }

    /// The name under which the user's own tables know the registry; nil if they don't.
    ///
    /// - Throws: `BenchFailure` if the text is no TOML.
    func registryName(of address: RepositoryAddress) throws(BenchFailure) -> String? {
        try Self.read(text)["registries"]?.table?
            .filter { Self.isSame($0.value["index"]?.string, address.description) }.keys.min()
    }

    // MARK: - The block

    private static func mark(_ arrows: String, _ address: RepositoryAddress) -> String {
        "# \(arrows) longshore-bench nearest \(address)"
    }

    private static func block(_ replacement: SourceReplacement, isNewFile: Bool) -> String {
        let made = isNewFile ? madeHere + "\n" : ""
        return """
            \(mark(">>>", replacement.address))
            # `longshore-bench nearest --write` wrote this and `--remove` takes it out; write nothing between the marks.
            \(made)\(replacement.tables)\(mark("<<<", replacement.address))

            """
    }

    /// Where the block stands, with both marks and the line break behind it.
    private func block(of address: RepositoryAddress) throws(BenchFailure) -> Range<Int>? {
        let bytes = Array(text.utf8)
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        func places(_ mark: String) -> [ArraySlice<UInt8>] {
            lines.filter { line in
                // An editor may have ended all lines as on Windows.
                (line.last == UInt8(ascii: "\r") ? line.dropLast() : line).elementsEqual(mark.utf8)
            }
        }
        let (begins, ends) = (places(Self.mark(">>>", address)), places(Self.mark("<<<", address)))
        if begins.isEmpty, ends.isEmpty { return nil }
        guard begins.count == 1, ends.count == 1, begins[0].startIndex < ends[0].startIndex else {
            throw BenchFailure(
                "the marks of `longshore-bench nearest` for \(address) do not stand once and in order: take them and "
                    + "what is between them out by hand, and try again")
        }
        return begins[0].startIndex..<min(ends[0].endIndex + 1, bytes.count)
    }

    private func without(_ block: Range<Int>?) -> String {
        guard let block else { return text }
        let bytes = Array(text.utf8)
        var before = bytes[..<block.lowerBound]
        let after = bytes[block.upperBound...]
        if before.last == UInt8(ascii: "\n") {
            // Ours, unless somebody has written on behind the block: then it keeps the two lines apart.
            let shorter = before.dropLast()
            if after.isEmpty || shorter.last == UInt8(ascii: "\n") { before = shorter }
        }
        return String(decoding: before + after, as: UTF8.self)
    }

    // MARK: - What the user's own text says

    private static func read(_ text: String) throws(BenchFailure) -> ManifestValue {
        do { return try ManifestReader.read(text) } catch {
            throw BenchFailure("it is no TOML: line \(error.line), column \(error.column): \(error.reason)")
        }
    }

    private func check(_ own: String, against new: SourceReplacement) throws(BenchFailure) {
        let tree = try Self.read(own)
        let sources = tree["source"]?.table ?? [:]
        if new.replacesCratesIO, sources["crates-io"] != nil {
            throw BenchFailure("it has a table [source.crates-io] already: take that out, or leave --crates-io out")
        }
        for (name, source) in sources.sorted(by: { $0.key < $1.key })
        where Self.isSame(source["registry"]?.string, new.address.description) {
            throw BenchFailure(
                "its table [source.\(name)] names \(new.address) already, and cargo takes a source only once: take that "
                    + "table out" + (sources["crates-io"] == nil ? "" : " with [source.crates-io], and use --crates-io")
            )
        }
        for (kind, name) in [("source", new.canonicalSource), ("registries", new.nearestRegistry)]
        where tree[kind]?[name] != nil {
            throw BenchFailure(
                "it has a table [\(kind).\(name)] already: rename that, or choose another name with --registry")
        }
        for (name, registry) in (tree["registries"]?.table ?? [:]).sorted(by: { $0.key < $1.key })
        where Self.isSame(registry["index"]?.string, new.edgeIndex) {
            throw BenchFailure(
                "its table [registries.\(name)] names the edge \(new.edgeName) itself, and cargo can't tell two names of "
                    + "one address apart: take that table out, and depend on \(new.address)")
        }
    }

    private static func isSame(_ one: String?, _ other: String) -> Bool {
        guard let one else { return false }
        return one == other || one + "/" == other
    }
}
