import FoundationEssentials

/// The page of a report on disk.
enum ReportFile {
    /// Before ten minutes are spent on what would go there.
    static func checkWritable(_ path: String) throws(BenchFailure) {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let place = folder.isEmpty ? (path.hasPrefix("/") ? "/" : ".") : folder
        guard FileManager.default.isWritableFile(atPath: place) else {
            throw BenchFailure("\(path) can't be written: there is no folder \(place) to write to; check --html")
        }
        var isFolder = false
        guard !FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) || !isFolder else {
            throw BenchFailure("\(path) is a folder; give --html a file's name in it")
        }
    }

    static func write(_ text: String, to path: String) throws(BenchFailure) {
        do {
            try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw BenchFailure("\(path) can't be written: \(error); check --html")
        }
        Console.note("wrote \(path)")
    }
}
