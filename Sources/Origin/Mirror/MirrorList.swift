import CrateFile
import Registry

/// What to mirror, as files say it. Pure.
enum MirrorList {
    struct Entry: Hashable, Sendable {
        let name: CrateName
        /// Nil: what the command says of versions.
        let version: Version?
        var checksum: Checksum?
    }

    /// What is wrong with a file, and where.
    struct Invalid: Error, Hashable, CustomStringConvertible {
        let description: String
    }

    /// A crate on each line: `serde`, `serde@1.0.217` or `serde 1.0.217`; empty lines and those with `#` are left out.
    static func read(_ text: String) throws(Invalid) -> [Entry] {
        var entries: [Entry] = []
        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let words = line.split { $0 == " " || $0 == "\t" || $0 == "@" }
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            guard words.count <= 2, let name = try? CrateName(String(first)) else {
                throw Invalid(description: "line \(number + 1) names no crate: write `serde` or `serde@1.0.217`")
            }
            var version: Version?
            if words.count == 2 {
                do { version = try Version(String(words[1])) } catch {
                    throw Invalid(description: "line \(number + 1): \(error)")
                }
            }
            entries.append(Entry(name: name, version: version))
        }
        return entries
    }

    /// The packages of a `Cargo.lock` that come from a registry.
    ///
    /// - Parameter isOurs: whether a package from this registry is looked for in the repository.
    /// - Returns: also where others come from: other registries and git. Members of the workspace are neither.
    static func readLock(
        _ text: String, isOurs: (_ registry: String) -> Bool
    ) throws(Invalid) -> (entries: [Entry], others: [String]) {
        let lock: CargoLock
        do { lock = try CargoLock(parsing: text) } catch { throw Invalid(description: error.description) }
        var entries: [Entry] = []
        var others: Set<String> = []
        for package in lock.packages {
            guard let source = package.source else { continue }
            guard isOurs(source) else {
                others.insert(source)
                continue
            }
            entries.append(Entry(name: package.name, version: package.version, checksum: package.checksum))
        }
        return (entries, others.sorted())
    }
}
