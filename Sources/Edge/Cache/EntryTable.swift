import NIOCore
import Registry

/// One thing that the edge holds.
struct CacheEntry: Sendable {
    /// What the table itself costs for an entry, measured roughly.
    static let overheadBytes = 400

    let key: CacheKey
    let kind: CacheKey.Kind
    var value: CachedValue
    /// Of the snapshot that the value was read in: it holds every change up to here.
    var position: UInt64
    /// Verified only while equal to the core's.
    var epoch: UInt64
    /// When the origin last vouched for it.
    var verifiedAt: Moment
    /// Questions since it was stored, as far as 255.
    var hits: UInt8 = 0
    var wasUsed = false

    /// What decides whether an entry is current, as plain numbers: a copy of a whole entry counts five references.
    struct Standing {
        let kind: CacheKey.Kind
        let epoch: UInt64
        let verifiedAt: Moment
    }

    var standing: Standing { Standing(kind: kind, epoch: epoch, verifiedAt: verifiedAt) }
    var isFile: Bool { (kind == .index || kind == .crate) && !value.isAbsent }
    var cost: Int { value.bytes + Self.overheadBytes }
}

/// The entries within a limit of bytes; CLOCK chooses which to drop.
///
/// CLOCK: a hand goes round; what was used since it last came by gets one more round. One bit an entry, nothing to
/// move on a hit, and a scan over cold names can't push out hot ones that are in use.
struct EntryTable: Sendable {
    let bytesMax: Int
    private(set) var bytes = 0
    /// How many entries are index files and downloads that exist.
    private(set) var files = 0
    private var slots: [CacheEntry?] = []
    private var free: [Int] = []
    private var places = PlaceTable()
    private var groups: [CacheGroup: Set<CacheKey>] = [:]
    private var hand = 0
    /// Where the list of repositories is: every request needs it, and a number is found faster than a key.
    private var listPlace: Int?

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// True while a quarter is free.
    var isRoomy: Bool { bytes <= bytesMax / 4 * 3 }

    var count: Int { places.count }

    subscript(key: CacheKey) -> CacheEntry? { place(of: key).flatMap { slots[$0] } }

    /// The list of repositories.
    func list(if isCurrent: (CacheEntry.Standing) -> Bool) -> CachedValue? {
        guard let listPlace, slots[listPlace] != nil, isCurrent(slots[listPlace]!.standing) else { return nil }
        return slots[listPlace]!.value
    }

    /// Looks an entry up on behalf of a client.
    mutating func use(_ key: CacheKey) -> CacheEntry? {
        key.bytes.withUnsafeReadableBytes { use(bytes: $0) }.flatMap { slots[$0] }
    }

    /// The same without a copy of the entry, by the key's bytes wherever they lie.
    mutating func use(_ key: UnsafeRawBufferPointer, if isCurrent: (CacheEntry.Standing) -> Bool) -> CachedValue? {
        guard let place = use(bytes: key), isCurrent(slots[place]!.standing) else { return nil }
        return slots[place]!.value
    }

    private mutating func use(bytes key: UnsafeRawBufferPointer) -> Int? {
        guard let place = place(of: key) else { return nil }
        if !slots[place]!.wasUsed { slots[place]!.wasUsed = true }
        if slots[place]!.hits < .max { slots[place]!.hits += 1 }
        return place
    }

    private func place(of key: CacheKey) -> Int? { key.bytes.withUnsafeReadableBytes(place) }

    private func place(of key: UnsafeRawBufferPointer) -> Int? {
        places.find(key) { slots[$0]?.key.isEqual(to: key) ?? false }
    }

    /// In the order of their slots, so that what is evicted later depends on nothing but what happened before.
    func members(of group: CacheGroup) -> [CacheKey] {
        (groups[group] ?? []).map { (key: $0, place: place(of: $0) ?? 0) }.sorted { $0.place < $1.place }.map(\.key)
    }

    func keys(where isWanted: (CacheKey) -> Bool) -> [CacheKey] {
        slots.compactMap { $0?.key }.filter(isWanted)
    }

    /// Index files and absences of a repository, any of them; stops looking when there are enough.
    func indexFiles(of repository: RepositoryName, countMax: Int) -> [CacheEntry] {
        let prefix = CacheKey.indexPrefix(of: repository)
        var found: [CacheEntry] = []
        for case let entry? in slots
        where entry.kind == .index && entry.key.bytes.readableBytesView.starts(with: prefix) {
            guard found.count < countMax else { break }
            found.append(entry)
        }
        return found
    }

    /// - Returns: the keys that had to go for it; its own among them if it alone is over the limit.
    mutating func put(_ entry: CacheEntry) -> [CacheKey] {
        remove(entry.key)
        guard entry.cost <= bytesMax else { return [entry.key] }
        var evicted: [CacheKey] = []
        while bytes + entry.cost > bytesMax, let victim = nextVictim() {
            remove(victim)
            evicted.append(victim)
        }
        let place = free.popLast() ?? slots.count
        if place == slots.count { slots.append(entry) } else { slots[place] = entry }
        entry.key.bytes.withUnsafeReadableBytes { places.add($0, at: place) }
        if entry.kind == .repositories { listPlace = place }
        bytes += entry.cost
        if entry.isFile { files += 1 }
        if let group = entry.value.group { groups[group, default: []].insert(entry.key) }
        return evicted
    }

    /// Changes what is known of an entry, never its value.
    mutating func verify(_ key: CacheKey, position: UInt64, epoch: UInt64, at now: Moment) {
        guard let place = place(of: key) else { return }
        slots[place]?.position = position
        slots[place]?.epoch = epoch
        slots[place]?.verifiedAt = now
    }

    mutating func distrust(_ key: CacheKey) {
        // Epochs count from 1, so no core is ever in epoch 0.
        if let place = place(of: key) { slots[place]?.epoch = 0 }
    }

    @discardableResult
    mutating func remove(_ key: CacheKey) -> CacheEntry? {
        guard let place = place(of: key), let entry = slots[place] else { return nil }
        key.bytes.withUnsafeReadableBytes { places.remove($0, at: place) }
        slots[place] = nil
        if place == listPlace { listPlace = nil }
        free.append(place)
        bytes -= entry.cost
        if entry.isFile { files -= 1 }
        if let group = entry.value.group {
            groups[group]?.remove(key)
            if groups[group]?.isEmpty == true { groups[group] = nil }
        }
        return entry
    }

    private mutating func nextVictim() -> CacheKey? {
        // Two rounds: the first may only take the bits away.
        for _ in 0..<(2 * slots.count) {
            hand = hand + 1 < slots.count ? hand + 1 : 0
            guard let entry = slots[hand], entry.kind != .repositories, entry.kind != .keys else { continue }
            if !entry.wasUsed { return entry.key }
            slots[hand]?.wasUsed = false
        }
        return nil
    }
}
