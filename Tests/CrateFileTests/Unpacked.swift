import CrateFile

/// All that `source` unpacks to.
func unpacked(_ source: BytesSource, bytesMax: Int = 1 << 20) throws -> [UInt8] {
    let gunzip = try Gunzip(source, unpackedBytesMax: bytesMax)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1000)
    while true {
        let count = try buffer.withUnsafeMutableBytes(gunzip.read)
        if count == 0 { return bytes }
        bytes += buffer[..<count]
    }
}
