import CrateFile
import Facts

/// Reads an advisory database from disk: a folder of files, or an archive.
enum AdvisoryFolder {
    private static let depthMax = 16

    /// Blocks while it reads: not for an event loop.
    ///
    /// - Parameter name: what the operator calls it; nil: the path.
    static func read(_ path: String, named name: String? = nil) throws -> AdvisoryDatabase {
        var database = AdvisoryDatabase()
        if FileKind.isFolder(path) {
            try add(path, "", &database, depth: 0)
        } else {
            do { try database.add(archive: path) } catch let objection as Objection {
                throw SourceFailure(
                    "\(name ?? path) is no whole archive: \(objection.cause); name the folder, .tar or .tar.gz of an "
                        + "advisory database")
            }
        }
        return database
    }

    private static func add(
        _ root: String, _ inside: String, _ database: inout AdvisoryDatabase, depth: Int
    ) throws {
        for name in try DiskFolder.names(in: root + inside) where name != ".git" {
            let path = "\(inside)/\(name)"
            if FileKind.isFolder(root + path) {
                // A tree that is deeper than any database is a loop of symbolic links.
                if depth < depthMax { try add(root, path, &database, depth: depth + 1) }
            } else if let form = AdvisoryDatabase.Form(path: path) {
                try database.add(bytes(root + path), path: path, form: form)
            }
        }
    }

    /// One byte more than is allowed shows that a file is too long.
    private static func bytes(_ path: String) throws -> [UInt8] {
        let file = try FileSource(path: path)
        let room = AdvisoryDatabase.fileBytesMax + 1
        return try [UInt8](unsafeUninitializedCapacity: min(file.bytesCount, room)) { buffer, count in
            while count < buffer.count {
                let read = try file.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...]))
                guard read > 0 else { return }
                count += read
            }
        }
    }
}
