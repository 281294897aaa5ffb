// The few file operations that a checkpoint takes, so that a test can fail or die at each of them.
//
// As the system calls: a result of at least 0 is success, -errno is failure.
#ifndef CNISIM_CORE_HOST_FILE_OPS_H_
#define CNISIM_CORE_HOST_FILE_OPS_H_

#include <string>
#include <string_view>

namespace cnisim {

class FileOps {
 public:
  virtual ~FileOps() = default;

  // Makes and opens a new file of mode 0600 whose name is `path` with its six last characters,
  // which are XXXXXX, replaced. Returns the descriptor.
  virtual int MakeTemporary(std::string& path) = 0;
  // Returns how many bytes it wrote, which may be fewer than there are.
  virtual long Write(int fd, std::string_view data) = 0;
  virtual int Sync(int fd) = 0;
  virtual int Close(int fd) = 0;
  virtual int Rename(const std::string& from, const std::string& to) = 0;
  virtual int Remove(const std::string& path) = 0;
  // The whole file.
  virtual int Read(const std::string& path, std::string& data) = 0;
};

class PosixFileOps : public FileOps {
 public:
  int MakeTemporary(std::string& path) override;
  long Write(int fd, std::string_view data) override;
  int Sync(int fd) override;
  int Close(int fd) override;
  int Rename(const std::string& from, const std::string& to) override;
  int Remove(const std::string& path) override;
  int Read(const std::string& path, std::string& data) override;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_HOST_FILE_OPS_H_
