import FoundationEssentials

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Cargo's configuration on disk, changed whole or not at all.
struct CargoFile: Sendable {
    /// Where the bytes are: a link is followed, so that it stays one.
    let path: String

    /// - Parameter path: nil takes `config.toml` in cargo's home.
    /// - Throws: `BenchFailure` if cargo would read another file.
    init(_ path: String?, home: String) throws(BenchFailure) {
        if path == nil, FileManager.default.fileExists(atPath: home + "/config") {
            throw BenchFailure(
                "cargo reads \(home)/config (the old name) and not config.toml: rename it, or name it with --config")
        }
        let named = path ?? home + "/config.toml"
        guard let resolved = realpath(named, nil) else {
            self.path = named
            return
        }
        defer { free(resolved) }
        self.path = String(cString: resolved)
    }

    /// `$CARGO_HOME`, or `~/.cargo`.
    static func home(_ environment: [String: String]) throws(BenchFailure) -> String {
        if let home = environment["CARGO_HOME"], !home.isEmpty { return home }
        guard let home = environment["HOME"], !home.isEmpty else {
            throw BenchFailure("neither CARGO_HOME nor HOME is set: set one, or give --config")
        }
        return home + "/.cargo"
    }

    /// - Returns: nil if there is no file.
    func read() throws(BenchFailure) -> CargoConfiguration? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else { throw failure("can't be read") }
        guard data.count <= CargoConfiguration.bytesMax, let text = String(data: data, encoding: .utf8) else {
            throw failure("is too large, or is not UTF-8")
        }
        return CargoConfiguration(text: text)
    }

    /// Writes beside the file and renames, so that a cargo that starts now reads the old text or the new one. Keeps the
    /// mode and the owner.
    func write(_ text: String) throws(BenchFailure) {
        let folder = path.contains("/") ? String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) : "."
        if !folder.isEmpty, !FileManager.default.fileExists(atPath: folder) {
            do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
                throw BenchFailure("\(folder) can't be made: \(error)")
            }
        }
        var old = stat()
        let exists = stat(path, &old) == 0
        let draft = path + ".longshore-\(getpid())"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("can't be written") }
        let isKept =
            Self.writeAll(descriptor, Array(text.utf8))
            && (!exists || old.st_uid == getuid() || fchown(descriptor, old.st_uid, old.st_gid) == 0)
            && fchmod(descriptor, exists ? old.st_mode & 0o7777 : 0o644) == 0 && fsync(descriptor) == 0
        let why = isKept ? nil : failure("can't be written")
        close(descriptor)
        if let why {
            unlink(draft)
            throw why
        }
        guard rename(draft, path) == 0 else {
            let why = failure("can't be replaced")
            unlink(draft)
            throw why
        }
    }

    func delete() throws(BenchFailure) {
        guard unlink(path) == 0 else { throw failure("can't be deleted") }
    }

    private static func writeAll(_ descriptor: CInt, _ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = systemWrite(descriptor, UnsafeRawBufferPointer(rebasing: rest))
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }

    private func failure(_ what: String) -> BenchFailure {
        BenchFailure("\(path) \(what)\(errno == 0 ? "" : ": " + String(cString: strerror(errno))); nothing was changed")
    }
}

private func systemWrite(_ descriptor: CInt, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}
