import NIOCore

/// Makes sure that a folder is an edge's before anything in it is deleted.
///
/// An edge sweeps files that its catalogue does not know. In the data folder of an origin, which holds `blobs` too, that
/// would delete the registry's only copies. So an edge works only in a folder that it has marked, and marks only one
/// that is empty or has a catalogue; an origin refuses a marked folder (`OriginDatabase`).
package enum FolderClaim {
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

    /// Makes the folder if it is missing, and marks it.
    ///
    /// - Throws: `Stranger`, or what the system said.
    package static func take(_ layout: DiskLayout) throws {
        try PosixFile.makeFolders(layout.root)
        let path = layout.root + "/" + markName
        guard PosixFile.size(path) == nil else { return }
        let names = Set(try PosixFile.list(layout.root)).subtracting(["lost+found"])
        let isOurs = names.contains("catalogue.sqlite")
        let stranger = names.filter { !isOurs || !Self.isMade($0) }.min()
        if let stranger { throw Stranger(folder: layout.root, found: stranger) }
        let file = try PosixFile.create(path)
        defer { PosixFile.close(file) }
        try PosixFile.write(.init(string: mark), to: file, path: path)
    }

    /// The names of `DiskLayout`.
    private static func isMade(_ name: String) -> Bool {
        ["blobs", "incoming", "reads"].contains(name) || name.hasPrefix("catalogue.sqlite")
    }
}
