/// Why the origin's own PostgreSQL does not run, in words fit for the operator: the cause and the next step.
package enum EmbeddedClusterError: Error, Equatable, CustomStringConvertible {
    case noBinaries
    /// `folder` holds the data of another major version than any that is installed.
    case otherVersion(needed: Int, installed: [Int], folder: String)
    /// `folder` exists, but nothing in it says which version its data is of.
    case unknownData(folder: String)
    /// PostgreSQL refuses to run as root, and there is no other user to run it as.
    case noUser
    /// The program that starts PostgreSQL as another user is missing.
    case noSetpriv
    /// `folder` cannot be entered by the user as which PostgreSQL must run.
    case notTraversable(folder: String, user: String)
    case wrongOwner(path: String)
    /// A call to the system failed.
    case system(doing: String, path: String, reason: String)
    /// A program of PostgreSQL ended badly; `lines` are its last words.
    case failed(program: String, lines: String)
    /// Another program holds the data folder, and its PostgreSQL does not answer.
    case otherOwner(folder: String)

    /// True while backends outlive a postmaster that was killed: they hold its memory until they notice, in milliseconds
    /// mostly, and PostgreSQL rightly refuses to start beside them.
    var passesByItself: Bool {
        guard case .failed("postgres", let lines) = self else { return false }
        return lines.contains("pre-existing shared memory block")
    }

    package var description: String {
        switch self {
        case .noBinaries:
            """
            PostgreSQL's server programs are not installed: install them (`apt install postgresql`), or set \
            DATABASE_URL to a server that runs elsewhere
            """
        case .otherVersion(let needed, let installed, let folder):
            """
            the database in \(folder) was made by PostgreSQL \(needed), and installed is \(Self.list(installed)): \
            install it beside the other (`apt install postgresql-\(needed)`) to go on as before, or move the data with \
            pg_upgrade, or with pg_dump from a server of version \(needed) and psql into the new one
            """
        case .unknownData(let folder):
            """
            \(folder) has no readable PG_VERSION, so it is damaged or not PostgreSQL's: restore it from a backup, or move \
            it away to start with an empty database
            """
        case .noUser:
            """
            PostgreSQL refuses to run as root, and this system has neither a user `postgres` nor `nobody`: \
            start longshore-origin as an ordinary user, or set DATABASE_URL
            """
        case .noSetpriv:
            """
            PostgreSQL refuses to run as root, and `setpriv`, with which we start it as another user, is missing: \
            install it (`apt install util-linux`), or start longshore-origin as an ordinary user
            """
        case .notTraversable(let folder, let user):
            """
            the user `\(user)`, as which PostgreSQL runs because it refuses to run as root, cannot enter \(folder): \
            choose another data folder (for example /var/lib/longshore), or allow it with `chmod o+x \(folder)`
            """
        case .wrongOwner(let path):
            "\(path) belongs to another user: start longshore-origin as that user, or choose another data folder"
        case .system(let doing, let path, let reason):
            "cannot \(doing) \(path): \(reason)"
        case .failed(let program, let lines):
            "\(program) failed; its last words:\n\(lines)"
        case .otherOwner(let folder):
            """
            another program uses the database in \(folder), and its PostgreSQL does not answer: stop that program, \
            or read \(folder)/log
            """
        }
    }

    private static func list(_ versions: [Int]) -> String {
        versions.isEmpty ? "none" : versions.map { String($0) }.joined(separator: ", ")
    }
}
