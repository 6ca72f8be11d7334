import CrateFile
import Registry

/// A `Cargo.lock` that was read once: its text as it came, and the versions that it holds from registries.
struct LockFile: Hashable, Sendable {
    static let bytesMax = 4 << 20

    /// One version from a registry, whichever: an address that stands in a lock file says little where sources are replaced.
    struct Entry: Hashable, Sendable {
        let identity: String
        let bareNumber: String
        /// Nil: the lock file has none, as those of very old cargo.
        let checksum: Checksum?
    }

    let text: String
    let sha256: Checksum
    /// Each once, in the order of the file.
    let entries: [Entry]

    var bytes: Int { text.utf8.count }

    /// - Throws: the first thing that is wrong with the file.
    init(parsing text: String) throws(CargoLock.Invalid) {
        var seen: Set<Entry> = []
        entries = try CargoLock(parsing: text).packages.filter(\.isFromRegistry).map { package in
            Entry(identity: package.name.identity, bareNumber: package.version.bare, checksum: package.checksum)
        }.filter { seen.insert($0).inserted }
        self.text = text
        sha256 = Checksum(of: text)
    }
}
