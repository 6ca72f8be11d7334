import NIOCore

/// Makes sure that a folder is this edge's, and only this one's, before anything in it is deleted.
///
/// An edge sweeps files that its catalogue does not know. In the data folder of an origin, which holds `blobs` too, that
/// would delete the registry's only copies. So an edge works only in a folder that it has marked, and marks only one
/// that is empty or has a catalogue; an origin refuses a marked folder (`OriginDatabase`).
///
/// The mark is locked as long as the claim lives: a second edge would delete what the first one is writing, and count
/// its reads again. The system drops the lock with the process, however that ends.
package final class FolderClaim: Sendable {
    /// The mark, in a form that backup programs know: they leave out folders with such a file.
    ///
    /// Source: https://bford.info/cachedir/
    package static let markName = "CACHEDIR.TAG"
    private static let mark = """
        Signature: 8a477f597d28d172789f06886806bc55
        # The cache of a longshore-edge. Whatever is in this folder may be deleted by it at any time.

        """

    /// The folder holds something that no edge has made.
    package struct Stranger: Error, Equatable, CustomStringConvertible {
        package let folder: String
        package let found: String

        package var description: String {
            "the folder \(folder) is not the cache of an edge (it holds `\(found)`), and an edge deletes what it does "
                + "not know: choose a folder of its own with --data (LONGSHORE_DATA)"
        }
    }

    /// Another process has the claim.
    package struct InUse: Error, Equatable, CustomStringConvertible {
        package let folder: String

        package var description: String {
            "another edge uses this folder (\(folder)): stop it, or choose a folder of its own with --data "
                + "(LONGSHORE_DATA)"
        }
    }

    private let file: Int32

    private init(_ file: Int32) { self.file = file }

    deinit { PosixFile.close(file) }

    /// Makes the folder if it is missing, marks it, and keeps others out while the claim lives.
    ///
    /// - Throws: `Stranger`, `InUse`, or what the system said.
    package static func take(_ layout: DiskLayout) throws -> FolderClaim {
        try PosixFile.makeFolders(layout.root)
        let path = layout.root + "/" + markName
        let isMarked = try isMarked(layout, path)
        let claim = FolderClaim(try isMarked ? PosixFile.openToRead(path) : PosixFile.openToWrite(path))
        guard try PosixFile.lock(claim.file, path: path) else { throw InUse(folder: layout.root) }
        if !isMarked { try write(mark, to: claim.file, path) }
        return claim
    }

    /// - Throws: `Stranger` if it is not marked and must not be: other programs mark their caches, too.
    private static func isMarked(_ layout: DiskLayout, _ path: String) throws -> Bool {
        var names = Set(try PosixFile.list(layout.root)).subtracting(["lost+found"])
        if let size = PosixFile.size(path) {
            if try size == mark.utf8.count && content(path) == Array(mark.utf8) { return true }
            // An empty one is what a full disk left of ours.
            guard size == 0 else { throw Stranger(folder: layout.root, found: markName) }
            names.remove(markName)
        }
        let isOurs = names.contains("catalogue.sqlite")
        let stranger = names.filter { !isOurs || !Self.isMade($0) }.min()
        if let stranger { throw Stranger(folder: layout.root, found: stranger) }
        return false
    }

    private static func content(_ path: String) throws -> [UInt8] {
        let file = try PosixFile.openToRead(path)
        defer { PosixFile.close(file) }
        var bytes = [UInt8](repeating: 0, count: mark.utf8.count + 1)
        let count = try bytes.withUnsafeMutableBytes { try PosixFile.read(file, into: $0, path: path) }
        return Array(bytes.prefix(count))
    }

    private static func write(_ mark: String, to file: Int32, _ path: String) throws {
        do {
            try PosixFile.write(.init(string: mark), to: file, path: path)
        } catch {
            // Half a mark would be a stranger's at the next start.
            try PosixFile.remove(path)
            throw error
        }
    }

    /// The names of `DiskLayout`.
    private static func isMade(_ name: String) -> Bool {
        ["blobs", "incoming", "reads"].contains(name) || name.hasPrefix("catalogue.sqlite")
    }
}
