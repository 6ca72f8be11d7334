#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The user as which PostgreSQL runs: ourselves, or another if we are root, since PostgreSQL refuses to be root.
struct EmbeddedClusterUser: Equatable, Sendable {
    let name: String
    let uid: uid_t
    let gid: gid_t

    /// True if programs must be started as somebody else than we are.
    var isOther: Bool { uid != geteuid() }

    /// - Parameter dataOwner: who owns the data that exists; as root we go on as that user.
    static func choose(dataOwner: uid_t?) throws(EmbeddedClusterError) -> EmbeddedClusterUser {
        let own = geteuid()
        guard own == 0 else { return EmbeddedClusterUser(name: "\(own)", uid: own, gid: getegid()) }
        if let dataOwner, dataOwner != 0, let entry = getpwuid(dataOwner) { return EmbeddedClusterUser(entry) }
        // Read at once: the entry lives in memory that the next look-up overwrites.
        for name in ["postgres", "nobody"] {
            if let entry = getpwnam(name) { return EmbeddedClusterUser(entry) }
        }
        throw .noUser
    }

    private init(name: String, uid: uid_t, gid: gid_t) {
        self.name = name
        self.uid = uid
        self.gid = gid
    }

    private init(_ entry: UnsafeMutablePointer<passwd>) {
        self.init(name: String(cString: entry.pointee.pw_name), uid: entry.pointee.pw_uid, gid: entry.pointee.pw_gid)
    }

    /// True if this user may pass through a folder.
    func mayEnter(_ folder: FileFacts) -> Bool {
        if uid == 0 { return true }
        if folder.owner == uid { return folder.mode & 0o100 != 0 }
        if folder.group == gid { return folder.mode & 0o010 != 0 }
        return folder.mode & 0o001 != 0
    }
}
