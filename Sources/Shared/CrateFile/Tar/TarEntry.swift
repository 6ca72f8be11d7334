/// One entry of a tar archive, without its content.
package struct TarEntry: Equatable, Sendable {
    /// As the archive says it: may hold `..`, begin with `/`, end with `/`. Valid UTF-8 without NUL.
    package let path: String
    package let kind: Kind
    /// How long the content is that follows, in bytes.
    package let bytesCount: Int

    /// What an entry is, by its type flag.
    package enum Kind: Equatable, Sendable {
        case file
        case directory
        case other(typeFlag: UInt8)
    }
}

extension TarEntry.Kind: CustomStringConvertible {
    init(typeFlag: UInt8) {
        switch typeFlag {
        case 0, UInt8(ascii: "0"): self = .file
        case UInt8(ascii: "5"): self = .directory
        default: self = .other(typeFlag: typeFlag)
        }
    }

    /// The names that crates.io uses in its refusals.
    package var description: String {
        switch self {
        case .file: "Regular"
        case .directory: "Directory"
        case .other(UInt8(ascii: "1")): "Link"
        case .other(UInt8(ascii: "2")): "Symlink"
        case .other(UInt8(ascii: "3")): "Char"
        case .other(UInt8(ascii: "4")): "Block"
        case .other(UInt8(ascii: "6")): "Fifo"
        case .other(UInt8(ascii: "7")): "Continuous"
        case .other(UInt8(ascii: "K")): "GNULongLink"
        case .other(UInt8(ascii: "S")): "GNUSparse"
        case .other(UInt8(ascii: "g")): "XGlobalHeader"
        case .other(let typeFlag): "Other(\(typeFlag))"
        }
    }
}
