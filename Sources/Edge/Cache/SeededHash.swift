/// A hash of bytes wherever they lie, for tables of ours. With a seed of its own for each table, so that nobody can choose
/// keys that collide.
package struct SeededHash: Sendable {
    private let seed = UInt64.random(in: .min ... .max)

    package init() {}

    /// Eight bytes at a time, each mixed by a multiplication whose halves are folded together.
    ///
    /// - Parameter salt: what else makes two keys different.
    package func callAsFunction(_ key: UnsafeRawBufferPointer, salt: UInt64 = 0) -> UInt64 {
        var hash = seed ^ salt
        var place = 0
        while place + 8 <= key.count {
            hash = Self.mix(hash ^ key.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            place += 8
        }
        var rest = UInt64(key.count)
        while place < key.count {
            rest = rest << 8 | UInt64(key[place])
            place += 1
        }
        return Self.mix(hash ^ rest)
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return product.high ^ product.low
    }
}
