# What is on the machine: the GPU, the libraries, and whether mt can use them. A part of gpu-check, which has the functions used here.
# shellcheck shell=bash disable=SC2034,SC2154

# --- what there is -------------------------------------------------------------------------------

# The folders of NVIDIA's libraries in the Python installations here: site-packages/nvidia/*/lib.
python_folders() {
  local root
  for root in "${VIRTUAL_ENV:-}" /opt /usr/lib /usr/local/lib "${HOME:-/nonexistent}/.local/lib"; do
    if [ -n "$root" ] && [ -d "$root" ]; then roots+=("$root"); fi
  done
  # Where Python itself looks: a virtual environment may lie anywhere, and python3 be a link into it.
  while IFS= read -r root; do
    if [ -d "$root/nvidia" ]; then roots+=("$root/nvidia"); fi
  done < <(timeout 10 python3 -c 'import sys; print("\n".join(sys.path))' 2>/dev/null)
  timeout 20 find "${roots[@]}" -maxdepth 8 -path '*/nvidia/*/lib' -type d -prune -print 2>/dev/null | sort -u
}

# The folders where the toolkit's libraries may be, one a line.
library_folders() {
  local folder roots=()
  tr ':' '\n' <<<"${MT_CUDA_LIBRARY_PATH-}"
  for folder in "${CUDA_HOME:-/usr/local/cuda}"/lib64 /usr/local/cuda*/lib64 /usr/local/cuda*/targets/*/lib; do
    if [ -d "$folder" ]; then echo "$folder"; fi
  done
  ldconfig -p 2>/dev/null | sed -n 's|.*lib\(cublasLt\|cudnn\)\.so.* => \(.*\)/[^/]*$|\2|p'
  python_folders
}

# The library of the CUDA version that the tree was built with where that is there, else the first there is.
find_library() { # NAME MAJOR
  local folder file
  for file in "$1.so.$2" "$1.so."; do
    while IFS= read -r folder; do
      if [ -n "$folder" ] && compgen -G "$folder/$file*" >/dev/null; then
        compgen -G "$folder/$file*" | head -n 1
        return
      fi
    done <"$work/folders"
  done
}

find_libraries() {
  local major
  major=$(sed -n 's/^nvcc \([0-9]*\).*/\1/p' "$prefix/VERSION" 2>/dev/null)
  library_folders | awk 'NF && !seen[$0]++' >"$work/folders"
  cublas=$(find_library libcublasLt "${major:-13}")
  cudnn=$(find_library libcudnn 9)
  local file paths=""
  for file in "$cublas" "$cudnn"; do
    if [ -n "$file" ]; then paths=$paths${paths:+:}${file%/*}; fi
  done
  if [ -n "$paths" ]; then
    export MT_CUDA_LIBRARY_PATH=$paths
    # What these libraries load themselves lies in their neighbours' folders.
    LD_LIBRARY_PATH=$paths:$(grep -F /nvidia/ "$work/folders" | paste -s -d:)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export LD_LIBRARY_PATH=${LD_LIBRARY_PATH//::/:}
  fi
}

find_sanitizer() {
  local path
  for path in "$(command -v compute-sanitizer 2>/dev/null)" "${CUDA_HOME:-/usr/local/cuda}"/bin/compute-sanitizer \
    /usr/local/cuda*/bin/compute-sanitizer /usr/local/cuda*/compute-sanitizer/compute-sanitizer \
    /usr/local/cuda*/extras/compute-sanitizer/compute-sanitizer /opt/nvidia/*/compute-sanitizer; do
    if [ -x "$path" ]; then
      echo "$path"
      return
    fi
  done
}

# What the driver said in the kernel's log: an Xid tells what broke a GPU, and where.
check_kernel_log() {
  timeout 5 dmesg 2>/dev/null | grep -i -E 'xid|nvrm' | tail -n 40 >"$work/kernel.out"
  if grep -q -i xid "$work/kernel.out"; then block 40 <"$work/kernel.out" | section 90 "The driver's messages"; fi
}

check_machine() {
  say "the machine"
  launch smi 20 nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv,noheader
  launch smi_all 20 nvidia-smi
  find_libraries
  wait
  run info 90 "$prefix/bin/mt-info"
  gpu=$(head -n 1 "$work/smi.out")
  own=$device
  if grep -q "^  ${device}_tiled: usable" "$work/info.out"; then own=${device}_tiled; fi
  usable=""
  if grep -q "^  $device: usable" "$work/info.out"; then usable=yes; fi
  {
    echo "| | |"
    echo "| --- | --- |"
    echo "| date | $(date -u '+%Y-%m-%d %H:%M UTC') |"
    echo "| GPU, driver, memory, capability | ${gpu:-no answer from nvidia-smi} |"
    echo "| CUDA of the driver | $(grep -o 'CUDA Version: *[0-9.]*' "$work/smi_all.out" | grep -o '[0-9.]*$' || echo unknown) |"
    echo "| nvcc here | $(nvcc --version 2>/dev/null | sed -n 's/.*release //p' || true) |"
    sed 's/^\([a-z]*\) \(.*\)/| \1 | \2 |/' "$prefix/VERSION" 2>/dev/null
    echo "| host | $cores cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(uname -sr) |"
    echo "| cuBLASLt | ${cublas:-not found} |"
    echo "| cuDNN | ${cudnn:-not found} |"
  } | section 10 "The machine"
  block 80 <"$work/info.out" | section 20 "mt-info"
  if [ -n "$usable" ]; then
    verdict "builds, loads" pass "$(sed -n "s/^    device $device: \(.*\)/\1/p" "$work/info.out" | head -n 1)"
  else
    verdict "builds, loads" FAIL "$(grep "^  $device: " "$work/info.out" | head -n 1 | sed 's/^ *//')$(last_line "$work/info.err")"
  fi
}
