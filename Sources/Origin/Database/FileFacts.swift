import FoundationEssentials

/// What the file system says of a path, links not followed.
struct FileFacts {
    let owner: UInt32
    let group: UInt32
    /// The permission bits.
    let mode: Int
    let bytes: Int
    let isFolder: Bool

    /// - Returns: nil if nothing is there, or it may not be seen.
    init?(_ path: String) {
        guard let facts = try? FileManager.default.attributesOfItem(atPath: path) else { return nil }
        // `UInt` here, `NSNumber` in a program that loads all of Foundation: what they print is the same.
        func number(_ key: FileAttributeKey) -> Int? { facts[key].flatMap { Int("\($0)") } }
        guard let owner = number(.ownerAccountID), let group = number(.groupOwnerAccountID),
            let mode = number(.posixPermissions), let bytes = number(.size)
        else { return nil }
        (self.owner, self.group) = (UInt32(clamping: owner), UInt32(clamping: group))
        (self.mode, self.bytes) = (mode, bytes)
        isFolder = facts[.type] as? FileAttributeType == .typeDirectory
    }
}
