import Registry

/// Where an edge keeps things in its data folder. Deleting the folder loses nothing but warmth, and the reads that the
/// origin has not been told of.
///
/// | path                  | what                                             |
/// |-----------------------|--------------------------------------------------|
/// | `CACHEDIR.TAG`        | says that the folder is an edge's, and is locked by the one that runs (`FolderClaim`) |
/// | `catalogue.sqlite`    | what is held, at which position, how big         |
/// | `blobs/ab/{sha256}`   | complete, verified when it was written           |
/// | `incoming/{number}`   | being written; emptied at every start            |
/// | `reads/`              | the access log on its way: room `EdgeLedger`     |
package struct DiskLayout: Sendable {
    package let root: String

    package init(root: String) { self.root = root }

    var catalogue: String { root + "/catalogue.sqlite" }
    var blobs: String { root + "/blobs" }
    package var reads: String { root + "/reads" }
    var incoming: String { root + "/incoming" }

    func folder(of checksum: Checksum) -> String { blobs + "/" + checksum.description.prefix(2) }
    func blob(_ checksum: Checksum) -> String { folder(of: checksum) + "/\(checksum)" }
    func incoming(_ number: UInt64) -> String { incoming + "/\(number)" }
}
